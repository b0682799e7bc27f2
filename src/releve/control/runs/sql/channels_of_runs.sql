SELECT run.id, block.channel, sum(block.n * block.mean) / sum(block.n), min(block.low), max(block.high)
FROM unnest(%(ids)s::bigint[], %(devices)s::integer[]) AS run (id, device)
JOIN run_block_channel AS block ON block.device_id = run.device AND block.run_id = run.id
WHERE block.channel = ANY(%(channels)s::text[])
GROUP BY run.id, block.channel
