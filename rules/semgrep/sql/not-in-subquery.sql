-- ruleid: sql-not-in-subquery
SELECT * FROM account WHERE mail NOT IN (SELECT mail FROM blocked);
-- ruleid: sql-not-in-subquery
delete from visit where guest not in ( select distinct guest from stay );
-- ok: sql-not-in-subquery
SELECT * FROM account WHERE mail NOT IN (SELECT mail FROM blocked WHERE mail IS NOT NULL);
-- ok: sql-not-in-subquery
SELECT * FROM account WHERE id NOT IN (SELECT id FROM blocked);
-- ok: sql-not-in-subquery
SELECT * FROM account WHERE state NOT IN ('open', 'new');
