/**
 * Follows long work (an import, notices, a count) without reloading the page.
 *
 * `<div class="progress" data-progress-url="…">` comes from the component `progress`. The address
 * answers JSON: done, total, label, next, finished, href. The state is the server's: after a reload
 * the page shows where the work is and this script goes on from there. At the end it goes to
 * `href`, or loads the page again. Failures are waited out with longer pauses; nothing is lost.
 */
const FIRST_PAUSE = 700;
const LONGEST_PAUSE = 15000;

/** Numbers as the page's language writes them. */
const format = (number) => new Intl.NumberFormat(document.documentElement.lang).format(number);

/** Show one answer of the server in the panel. */
export function show(panel, state) {
  const bar = panel.querySelector("progress");
  const label = panel.querySelector("[data-progress-label]");
  const count = panel.querySelector("[data-progress-count]");
  const next = panel.querySelector("[data-progress-next]");
  if (state.total > 0) {
    bar.max = state.total;
    bar.value = state.done;
    const pattern = panel.dataset.progressPattern ?? "%(done)s / %(total)s";
    count.textContent = pattern
      .replace("%(done)s", format(state.done))
      .replace("%(total)s", format(state.total));
  } else {
    bar.removeAttribute("value");
  }
  if (state.label) label.textContent = state.label;
  if (state.next && next) next.textContent = state.next;
}

/** Ask again and again until the work is finished. */
async function follow(panel) {
  let pause = FIRST_PAUSE;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (document.hidden) continue;
    try {
      const answer = await fetch(panel.dataset.progressUrl, {
        headers: { Accept: "application/json" },
      });
      if (answer.status === 401 || answer.status === 403 || answer.status === 404) return;
      if (!answer.ok) throw new Error(String(answer.status));
      const state = await answer.json();
      show(panel, state);
      if (state.finished) {
        location.assign(state.href ?? location.href);
        return;
      }
      pause = FIRST_PAUSE;
    } catch {
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }
}

export const followAll = () =>
  document.querySelectorAll("[data-progress-url]").forEach((panel) => void follow(panel));
