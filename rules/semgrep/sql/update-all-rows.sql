-- ruleid: sql-update-all-rows
UPDATE account SET active = false;
-- ruleid: sql-update-all-rows
update shop.price set currency = 'EUR';
-- ok: sql-update-all-rows
UPDATE account SET active = false WHERE closed < now();
-- ok: sql-update-all-rows
UPDATE account SET mail_lower = lower(mail);
