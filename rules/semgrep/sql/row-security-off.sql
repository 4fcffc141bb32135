-- ruleid: sql-row-security-off
ALTER TABLE account DISABLE ROW LEVEL SECURITY;
-- ruleid: sql-row-security-off
CREATE POLICY everyone ON account FOR UPDATE TO app USING (true);
-- ok: sql-row-security-off
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
-- ok: sql-row-security-off
CREATE POLICY readers ON country FOR SELECT USING (true);
-- ok: sql-row-security-off
CREATE POLICY own ON account FOR UPDATE USING (owner = current_user);
