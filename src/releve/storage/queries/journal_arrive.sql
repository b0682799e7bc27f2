-- This database lives here from now on; transactions are counted anew.
WITH counted AS (UPDATE revocation SET xid = '0' WHERE (SELECT home FROM revocation_lineage) <> %(home)s)
UPDATE revocation_lineage SET home = %(home)s WHERE home <> %(home)s
