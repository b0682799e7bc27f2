-- What was ended by transactions from a number on, each with what is left standing of it now. Every transaction below the
-- number that stands beside them has ended, so the next look begins there.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS settled,
       ended.key, ended.at, ended.principal, ended.born, ended.until,
       CASE split_part(ended.principal, ':', 1)
           WHEN 'device' THEN (
               SELECT jsonb_build_object('stands', is_enabled, 'verifier', secret_hash) FROM fleet_device
               WHERE id = split_part(ended.principal, ':', 2)::int AND created_at = ended.born
           )
           WHEN 'account' THEN (
               SELECT jsonb_build_object(
                   'stands', is_active, 'verifier', password, 'is_staff', is_staff, 'is_superuser', is_superuser,
                   'roles', coalesce((SELECT jsonb_object_agg(team_id, role) FROM teams_membership WHERE account_id = account.id), '{}')
               ) FROM accounts_account AS account
               WHERE id = split_part(ended.principal, ':', 2)::bigint AND date_joined = ended.born
           )
           WHEN 'certificate' THEN (
               SELECT jsonb_build_object('device', device_id) FROM device_certificate
               WHERE fingerprint = split_part(ended.principal, ':', 2) AND added = ended.born
           )
       END AS state
FROM (SELECT) AS always
LEFT JOIN revocation AS ended ON ended.xid >= %(settled)s::xid8 AND NOT (ended.key = ANY(%(written)s::uuid[]))
ORDER BY ended.id
