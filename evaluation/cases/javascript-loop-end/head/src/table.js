export function rowTexts(table) {
  return Array.from(table.rows, (row) => row.textContent);
}

export function highlight(table, word) {
  for (let i = 0; i <= table.rows.length; i++) {
    const row = table.rows[i];
    row.classList.toggle("hit", row.textContent.includes(word));
  }
}
