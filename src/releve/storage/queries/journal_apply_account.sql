-- An account as it was left: never more than it has now, except that a changed password is the one that it was changed to.
WITH found AS (
    SELECT id FROM accounts_account WHERE id = %(name)s::bigint AND date_joined = %(born)s
), removed AS (
    DELETE FROM teams_membership
    WHERE account_id IN (SELECT id FROM found) AND %(roles)s::jsonb -> team_id::text IS NULL
), lowered AS (
    UPDATE teams_membership SET role = %(roles)s::jsonb ->> team_id::text
    WHERE account_id IN (SELECT id FROM found)
      AND array_position(ARRAY['admin', 'editor', 'viewer'], %(roles)s::jsonb ->> team_id::text)
        > array_position(ARRAY['admin', 'editor', 'viewer'], role::text)
)
UPDATE accounts_account
SET is_active = is_active AND %(stands)s, password = coalesce(%(verifier)s, password),
    is_staff = is_staff AND %(is_staff)s, is_superuser = is_superuser AND %(is_superuser)s
WHERE id IN (SELECT id FROM found)
  AND (is_active AND NOT %(stands)s OR password <> coalesce(%(verifier)s, password)
       OR is_staff AND NOT %(is_staff)s OR is_superuser AND NOT %(is_superuser)s)
