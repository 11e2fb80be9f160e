/**
 * The ordinary pages: htmx where a page must move. Everything works without it.
 *
 * htmx runs under the strict Content-Security-Policy as long as no attribute needs eval
 * (`hx-on`, `js:` values, trigger filters); a test on the server forbids those.
 */
import "htmx.org";

document.addEventListener("htmx:config:request", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  const { request } = event.detail.ctx;
  if (token && !/^(GET|HEAD)$/i.test(request.method)) request.headers["X-CSRFToken"] = token;
});
