INSERT INTO quarantine (device_id, received, contract, transport, field, reason, digest, payload)
VALUES (%s, to_timestamp(0) + %s::bigint * interval '1 microsecond', %s, %s, %s, %s, %s, %s)
ON CONFLICT (device_id, digest) DO NOTHING
