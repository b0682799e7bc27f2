// Downloads a run's readings: the data plane streams them, for a token of this browser's own sign-in.

const csrf = document.querySelector("input[name=csrfmiddlewaretoken]").value;
const status = document.getElementById("export-status");

async function accessToken(address) {
  const response = await fetch(address, { method: "POST", headers: { "X-CSRFToken": csrf } });
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()).access;
}

async function fetched(button) {
  const token = await accessToken(button.dataset.token);
  const response = await fetch(button.dataset.export, { headers: { Authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error((await response.json()).detail ?? String(response.status));
  return response.blob();
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

for (const button of document.querySelectorAll("button[data-export]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    status.hidden = true;
    try {
      save(await fetched(button), button.dataset.file);
    } catch (error) {
      status.textContent = `${status.dataset.failed} ${error.message}`;
      status.hidden = false;
    }
    button.disabled = false;
  });
}
