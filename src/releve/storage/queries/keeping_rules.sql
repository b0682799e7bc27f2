-- The rules of teams, for each stretch in which such a team owned one of the devices that they are about.
SELECT owned.device_id, (extract(epoch FROM owned.since) * 1000000)::bigint, (extract(epoch FROM owned.until) * 1000000)::bigint,
       rule.device_id IS NOT NULL, rule.channel, rule.raw_days, rule.ladder_days, rule.is_archived
FROM keeping_rule AS rule
JOIN device_ownership AS owned ON owned.team_id = rule.team_id AND (rule.device_id IS NULL OR rule.device_id = owned.device_id)
WHERE %(device)s::int IS NULL OR owned.device_id = %(device)s
ORDER BY owned.device_id, owned.since NULLS FIRST, rule.id
