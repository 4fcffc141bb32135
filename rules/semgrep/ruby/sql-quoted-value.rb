def find(model, email, term, connection)
  # ruleid: ruby-sql-quoted-value
  model.where("email = '#{email}'")
  # ruleid: ruby-sql-quoted-value
  connection.execute("UPDATE account SET seen = 1 WHERE name LIKE '%#{term}%'")
  # ok: ruby-sql-quoted-value
  model.where("email = ?", email)
  # ok: ruby-sql-quoted-value
  connection.execute("ALTER TABLE #{connection.quote_table_name('account')} ADD seen int")
end
