-- ruleid: sql-grant-all
GRANT ALL PRIVILEGES ON *.* TO 'app'@'%';
-- ruleid: sql-grant-all
grant insert, update on account to public;
-- ruleid: sql-grant-all
CREATE ROLE app LOGIN SUPERUSER;
-- ok: sql-grant-all
GRANT SELECT, INSERT ON account TO app;
-- ok: sql-grant-all
GRANT EXECUTE ON FUNCTION price(int) TO PUBLIC;
-- ok: sql-grant-all
CREATE ROLE app LOGIN NOSUPERUSER;
