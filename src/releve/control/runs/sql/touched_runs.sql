-- Which of these runs a reading reached since each was followed; it may be in its block already.
SELECT DISTINCT run.id
FROM unnest(
    %(ids)s::bigint[], %(devices)s::integer[], %(since)s::timestamptz[], %(until)s::timestamptz[], %(followed)s::timestamptz[]
) AS run (id, device, since, until, followed)
JOIN reading AS r ON r.device_id = run.device AND r.time >= run.since AND r.time < run.until AND r.received >= run.followed
WHERE r.received >= %(earliest)s
