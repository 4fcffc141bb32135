-- ruleid: sql-truncate-cascade
TRUNCATE account CASCADE;
-- ruleid: sql-truncate-cascade
drop schema public cascade;
-- ok: sql-truncate-cascade
TRUNCATE account, visit;
-- ok: sql-truncate-cascade
DROP TABLE account CASCADE;
