-- A device as it was left: never more than it has now, except that a replaced secret is the one that replaced it.
UPDATE fleet_device SET is_enabled = is_enabled AND %(stands)s, secret_hash = coalesce(%(verifier)s, secret_hash)
WHERE id = %(name)s::int AND created_at = %(born)s
  AND (is_enabled AND NOT %(stands)s OR secret_hash <> coalesce(%(verifier)s, secret_hash))
