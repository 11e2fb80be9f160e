/**
 * What shares cost, while their number is typed. Without it a button asks the server.
 * <output data-total="id of the field" data-cents="price of one" data-most="largest number">
 */
export function keepTotals() {
  for (const output of document.querySelectorAll("output[data-total]")) keep(output);
}

function keep(output) {
  const field = document.getElementById(output.dataset.total);
  if (!field) return;
  const price = Number(output.dataset.cents);
  const most = Number(output.dataset.most);
  const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
  const format = new Intl.NumberFormat(language, { style: "currency", currency: "EUR" });
  const show = () => {
    const shares = /^\s*\d{1,7}\s*$/.test(field.value) ? Number(field.value) : 0;
    output.textContent = shares > most ? "–" : format.format((shares * price) / 100);
  };
  field.addEventListener("input", show);
  // Whoever comes back finds the number that they typed, so the total must be that of it.
  window.addEventListener("pageshow", show);
}
