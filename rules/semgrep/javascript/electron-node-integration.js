const { BrowserWindow } = require("electron");

// ruleid: javascript-electron-node-integration
const first = new BrowserWindow({ width: 800, webPreferences: { nodeIntegration: true } });
// ruleid: javascript-electron-node-integration
const second = new BrowserWindow({ webPreferences: { preload, webSecurity: false } });
// ok: javascript-electron-node-integration
const third = new BrowserWindow({ webPreferences: { contextIsolation: true } });
// ok: javascript-electron-node-integration
const fourth = new BrowserWindow({ width: 800 });
