-- What each of these races was every 5 seconds: the last distance and lap, the mean speed and battery; 0 of what it lacks.
SELECT run.id, (extract(epoch FROM block.start) * 1000000)::bigint,
       coalesce(max(last_value) FILTER (WHERE channel = 'distance'), 0), coalesce(max(least(greatest(mean, low), high)) FILTER (WHERE channel = 'speed'), 0),
       coalesce(max(least(greatest(mean, low), high)) FILTER (WHERE channel = 'battery'), 0), coalesce(max(last_value) FILTER (WHERE channel = 'track'), 0)
FROM unnest(%(ids)s::bigint[], %(devices)s::integer[]) AS run (id, device)
JOIN run_block_channel AS block ON block.device_id = run.device AND block.run_id = run.id
GROUP BY run.id, block.start
ORDER BY run.id, block.start
