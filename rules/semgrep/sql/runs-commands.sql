-- ruleid: sql-runs-commands
COPY account TO PROGRAM 'gzip > /srv/account.gz';
-- ruleid: sql-runs-commands
EXEC sp_configure 'xp_cmdshell', 1;
-- ok: sql-runs-commands
COPY account TO '/srv/account.csv' CSV;
-- ok: sql-runs-commands
EXEC sp_configure 'xp_cmdshell', 0;
