-- Keep the hash of a new one-time code, and end an earlier one, while there is no account at all. A row says that it was.
WITH nobody AS (
    SELECT WHERE NOT EXISTS (SELECT FROM accounts_account)
), ended AS (
    DELETE FROM accounts_administratorcode USING nobody
)
INSERT INTO accounts_administratorcode (code_hash, created_at) SELECT %(hash)s, now() FROM nobody RETURNING id
