CREATE FUNCTION purge(name text) RETURNS void AS $$
BEGIN
  -- ruleid: sql-dynamic-statement
  EXECUTE 'DELETE FROM account WHERE name = ''' || name || '''';
  -- ok: sql-dynamic-statement
  EXECUTE 'DELETE FROM account WHERE name = ' || quote_literal(name);
  -- ok: sql-dynamic-statement
  EXECUTE format('DELETE FROM %I WHERE name = $1', name) USING name;
END
$$ LANGUAGE plpgsql;
-- ruleid: sql-dynamic-statement
EXEC('SELECT * FROM account WHERE name = ' + @name);
-- ok: sql-dynamic-statement
EXEC sp_executesql N'SELECT * FROM account WHERE name = @name', N'@name nvarchar(60)', @name;
