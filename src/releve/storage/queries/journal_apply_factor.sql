DELETE FROM mfa_authenticator WHERE id = %(name)s::bigint AND created_at = %(born)s
