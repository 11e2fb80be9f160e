/** Menus are `<details>` and work without this: Escape or a click elsewhere also closes them. */
const opened = () => document.querySelectorAll("details.menu[open]");

export function tendMenus() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of opened()) {
      menu.open = false;
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", (event) => {
    for (const menu of opened()) if (!menu.contains(event.target)) menu.open = false;
  });
}
