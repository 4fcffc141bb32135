-- ruleid: sql-delete-all-rows
DELETE FROM account;
-- ruleid: sql-delete-all-rows
delete from "shop"."cart" ;
-- ok: sql-delete-all-rows
DELETE FROM account WHERE closed < now();
-- ok: sql-delete-all-rows
DELETE FROM cart
USING account WHERE cart.account = account.id;
