CREATE FUNCTION pay(integer) RETURNS void
LANGUAGE sql
-- ruleid: sql-definer-search-path
SECURITY DEFINER
AS $$ UPDATE account SET paid = true WHERE id = $1 $$;

CREATE OR REPLACE FUNCTION check_in(integer) RETURNS void AS $$
BEGIN
  INSERT INTO visit VALUES ($1);
END
-- ruleid: sql-definer-search-path
$$ LANGUAGE plpgsql SECURITY DEFINER;

CREATE FUNCTION leave(integer) RETURNS void
LANGUAGE sql
-- ok: sql-definer-search-path
SECURITY DEFINER
SET search_path = pg_catalog, shop, pg_temp
AS $$ DELETE FROM visit WHERE id = $1 $$;

CREATE FUNCTION look(integer) RETURNS void
LANGUAGE sql
-- ok: sql-definer-search-path
SECURITY INVOKER
AS $$ SELECT 1 $$;
