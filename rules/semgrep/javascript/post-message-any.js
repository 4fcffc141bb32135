// ruleid: javascript-post-message-any
parent.postMessage({ token }, "*");
// ruleid: javascript-post-message-any
frame.contentWindow.postMessage(JSON.stringify(state), "*");
// ok: javascript-post-message-any
parent.postMessage({ token }, "https://gitlab.internal");
// ok: javascript-post-message-any
parent.postMessage("ready", "*");
// ok: javascript-post-message-any
worker.postMessage({ token });
