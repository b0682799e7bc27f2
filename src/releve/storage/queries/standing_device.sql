SELECT sign_in.generation
FROM accounts_signin AS sign_in JOIN fleet_device AS device ON device.id = sign_in.device_id
WHERE sign_in.id = %(sign_in)s AND device.id = %(device)s AND device.is_enabled
  AND sign_in.revoked_at IS NULL AND sign_in.expires_at > now()
