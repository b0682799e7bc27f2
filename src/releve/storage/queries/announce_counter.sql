-- Workers keep beside a device's token whether it counts; they look again.
SELECT pg_notify('releve_revocation', 'device:' || device_id) FROM unnest(%s::int[]) AS device_id
