-- Readings whose identity lives in a receipt are decided one device at a time; in order, so that writers never deadlock.
SELECT pg_advisory_xact_lock(1380273477, device_id) FROM (SELECT unnest(%s::int[]) AS device_id ORDER BY 1) AS locked
