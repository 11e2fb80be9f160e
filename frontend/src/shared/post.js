/**
 * Sending JSON to the server. Three outcomes: an answer, a refusal that the server explains
 * (nothing was stored), or no certainty (connection, time-out, broken answer).
 */

/** The server refused and says why. */
export class Refusal extends Error {
  constructor({ title, detail, remedy }, status) {
    super(title || detail);
    this.title = title || detail;
    this.detail = (title && detail) || "";
    this.remedy = remedy ?? "";
    this.status = status;
  }
}

/** It is not known what happened; sending the same again is safe. */
export class Uncertain extends Error {
  /** @param {boolean} answered whether a server answered at all */
  constructor(answered) {
    super("uncertain");
    this.answered = answered;
  }
}

/**
 * @param {string} address @param {object} body @param {string} token CSRF token
 * @returns {Promise<object>}
 * @throws {Refusal|Uncertain}
 */
export async function postJson(address, body, token, timeout = 30_000) {
  let response;
  let answer;
  try {
    response = await fetch(address, {
      method: "POST",
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/json",
        "X-CSRFToken": token,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeout),
    });
    answer = await response.json();
  } catch {
    throw new Uncertain(response !== undefined);
  }
  if (response.ok && answer && typeof answer === "object") return answer;
  const explained = answer?.error?.title || answer?.error?.detail;
  if (response.status < 500 && explained) throw new Refusal(answer.error, response.status);
  throw new Uncertain(true);
}
