-- ruleid: sql-index-locks-table
CREATE INDEX account_mail ON account (mail);
-- ruleid: sql-index-locks-table
create unique index if not exists account_name on shop.account (name);
-- ok: sql-index-locks-table
CREATE INDEX CONCURRENTLY account_city ON account (city);
-- ok: sql-index-locks-table
DROP INDEX account_town;
