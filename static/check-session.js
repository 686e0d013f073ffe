// OpenID Connect Session Management 1.0 §3.2: tells an application's page whether the sign-in that it knows is still the
// one of this browser. Answers only what can be answered from the asking page's own origin, and only to that page.
const cookieName = document.currentScript.dataset.cookie;

function browserState() {
  const found = document.cookie.split("; ").find((cookie) => cookie.startsWith(`${cookieName}=`));
  return found ? found.slice(cookieName.length + 1) : "";
}

async function sha256(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function verdict(message, origin) {
  const [, clientId, known, salt] = /^(.+) ([0-9a-f]{64})\.([0-9a-zA-Z_-]+)$/.exec(message) || [];
  if (!clientId) return "error";
  return (await sha256(`${clientId} ${origin} ${browserState()} ${salt}`)) === known ? "unchanged" : "changed";
}

addEventListener("message", async ({ data, origin, source }) => {
  if (typeof data === "string" && source && source !== window) source.postMessage(await verdict(data, origin), origin);
});
