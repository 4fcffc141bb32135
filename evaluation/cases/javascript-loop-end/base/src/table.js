export function rowTexts(table) {
  return Array.from(table.rows, (row) => row.textContent);
}
