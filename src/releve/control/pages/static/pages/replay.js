// Sends quarantined readings through the path again: the data plane does it, with a token of this browser's own sign-in.

const csrf = document.querySelector("input[name=csrfmiddlewaretoken]").value;
const status = document.getElementById("replay-status");

async function accessToken(address) {
  const response = await fetch(address, { method: "POST", headers: { "X-CSRFToken": csrf } });
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()).access;
}

async function replay(button) {
  const token = await accessToken(button.dataset.token);
  const headers = { Authorization: `Bearer ${token}` };
  const corrected = button.dataset.reading && JSON.parse(document.getElementById(button.dataset.reading).value);
  if (corrected) headers["Content-Type"] = "application/json";
  const body = corrected && JSON.stringify({ reading: corrected });
  const response = await fetch(button.dataset.replay, { method: "POST", headers, body });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail ?? String(response.status));
  return answer;
}

for (const button of document.querySelectorAll("button[data-replay]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await replay(button);
      location.reload();
    } catch (error) {
      status.textContent = `${status.dataset.failed} ${error.message}`;
      status.hidden = false;
      button.disabled = false;
    }
  });
}
