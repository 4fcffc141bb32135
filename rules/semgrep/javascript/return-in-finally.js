function read(file) {
  try {
    return file.read();
  } finally {
    // ruleid: javascript-return-in-finally
    return "";
  }
}
function count(file) {
  let total = 0;
  try {
    total = file.read().length;
  } catch (error) {
    log(error);
  } finally {
    file.close();
    // ruleid: javascript-return-in-finally
    return total;
  }
}
function fine(file) {
  try {
    // ok: javascript-return-in-finally
    return file.read();
  } finally {
    file.close();
  }
}
function behind(file) {
  let text = "";
  try {
    text = file.read();
  } finally {
    file.close();
  }
  // ok: javascript-return-in-finally
  return text;
}
function announced(file) {
  try {
    return file.read();
  } finally {
    // ok: javascript-return-in-finally
    file.announce("closed");
  }
}
