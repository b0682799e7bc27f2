// Asks this server's API with a token of this browser's own sign-in; one token serves a page until it has ended.

export const root = new URL("../../../", import.meta.url); // a gateway may have put a prefix before it

let token = null;

async function fresh() {
  const csrf = document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
  const response = await fetch(new URL("account/token/", root), { method: "POST", headers: { "X-CSRFToken": csrf } });
  if (!response.ok) throw new Refused(response.status, "");
  return (await response.json()).access;
}

export class Refused extends Error {
  constructor(status, detail, field = "") {
    super(detail || String(status));
    this.status = status;
    this.field = field;
  }
}

async function once(path, options) {
  token ??= fresh();
  let access;
  try {
    access = await token;
  } catch (error) {
    token = null;
    throw error;
  }
  const headers = { ...options.headers, Authorization: `Bearer ${access}` };
  return fetch(new URL(path, root), { ...options, headers });
}

// The answer as it came, once more with a new token where the old one has ended.
export async function fetched(path, options = {}) {
  let response = await once(path, options);
  if (response.status === 401) {
    token = null;
    response = await once(path, options);
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Refused(response.status, problem.detail ?? problem.message ?? "", problem.field);
}

export async function ask(path, options) {
  return (await fetched(path, options)).json();
}

export function send(method, path, body, headers = {}) {
  return fetched(path, { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json", ...headers } });
}
