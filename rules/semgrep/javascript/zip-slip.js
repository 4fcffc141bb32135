const fs = require("fs");
const path = require("path");

zip.on("entry", (entry) => {
  // ruleid: javascript-zip-slip
  entry.pipe(fs.createWriteStream(path.join(target, entry.path)));
});
for (const zipEntry of zip.getEntries()) {
  // ruleid: javascript-zip-slip
  fs.writeFileSync(path.join(target, zipEntry.entryName), zipEntry.getData());
  // ok: javascript-zip-slip
  fs.writeFileSync(path.join(target, path.basename(zipEntry.entryName)), zipEntry.getData());
  // ok: javascript-zip-slip
  fs.writeFileSync(path.join(target, settings.path), "");
}
