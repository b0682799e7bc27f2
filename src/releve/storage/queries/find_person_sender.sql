SELECT account.email,
       account.is_active AND sign_in.revoked_at IS NULL AND sign_in.expires_at > now() AS stands,
       coalesce((SELECT jsonb_object_agg(team_id, role) FROM teams_membership WHERE account_id = account.id), '{}') AS roles
FROM accounts_signin AS sign_in JOIN accounts_account AS account ON account.id = sign_in.account_id
WHERE sign_in.id = %(sign_in)s AND account.id = %(principal)s
