SELECT run.id, sum(block.n)::bigint, min(block.first_time), max(block.last_time)
FROM unnest(%(ids)s::bigint[], %(devices)s::integer[]) AS run (id, device)
JOIN run_block AS block ON block.device_id = run.device AND block.run_id = run.id
GROUP BY run.id
HAVING sum(block.n) > 0
