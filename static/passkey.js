// Asks the browser for a passkey (get) or for a new one (create), and sends what it says with the form.
const form = document.getElementById("passkey-form");
const field = document.getElementById("passkey-list");
const options = JSON.parse(form.dataset.options);

const bytesOf = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const textOf = (buffer) =>
  btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const named = (list) => list.map((one) => ({ ...one, id: bytesOf(one.id) }));

const publicKey = () => {
  const asked = { ...options, challenge: bytesOf(options.challenge) };
  if (asked.user) {
    asked.user = { ...asked.user, id: bytesOf(asked.user.id) };
    asked.excludeCredentials = named(asked.excludeCredentials);
  } else {
    asked.allowCredentials = named(asked.allowCredentials);
  }
  return asked;
};

const written = (credential) => {
  const { response } = credential;
  const said = { clientDataJSON: textOf(response.clientDataJSON) };
  if (response.attestationObject) {
    said.attestationObject = textOf(response.attestationObject);
    said.transports = response.getTransports ? response.getTransports() : [];
  } else {
    said.authenticatorData = textOf(response.authenticatorData);
    said.signature = textOf(response.signature);
    said.userHandle = response.userHandle ? textOf(response.userHandle) : null;
  }
  return JSON.stringify({ id: credential.id, rawId: textOf(credential.rawId), type: credential.type, response: said });
};

const trouble = (shown) => {
  document.getElementById("passkey-trouble").hidden = !shown;
};

let waits = null;

const ask = async (mediation) => {
  waits?.abort();
  const mine = new AbortController();
  waits = mine;
  const asked = { publicKey: publicKey(), signal: mine.signal, ...(mediation ? { mediation } : {}) };
  try {
    const { credentials } = navigator;
    const found = await (options.user ? credentials.create(asked) : credentials.get(asked));
    document.getElementById("credential").value = written(found);
    HTMLFormElement.prototype.submit.call(form);
  } catch {
    // Whoever stops, or has none, is told the same; a request that another one took the place of says nothing.
    if (waits === mine) {
      waits = null;
      trouble(!mediation);
    }
  }
};

const offerInField = async () => {
  if (waits || !(await window.PublicKeyCredential?.isConditionalMediationAvailable?.())) {
    return;
  }
  ask("conditional");
};

form.addEventListener("submit", (event) => {
  event.preventDefault();
  trouble(false);
  if (window.PublicKeyCredential) {
    ask();
  } else {
    trouble(true);
  }
});

// Not before the person goes there: a browser that has one key alone might use it unasked.
field?.addEventListener("pointerenter", offerInField);
field?.addEventListener("focus", offerInField);
