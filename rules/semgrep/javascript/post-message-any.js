// ruleid: javascript-post-message-any
parent.postMessage({ token }, "*");
// ok: javascript-post-message-any
parent.postMessage({ token }, "https://gitlab.internal");
