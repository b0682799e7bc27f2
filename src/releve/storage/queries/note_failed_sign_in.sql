-- Keep a failed sign-in in the audit of the device that has the name; made-up names fill nothing.
INSERT INTO accounts_auditevent (time, kind, is_alert, device_id, team_id, address, user_agent, detail)
SELECT now(), kind, kind = ANY(%(alerts)s::text[]), device.id, device.team_id, %(address)s, %(agent)s, %(detail)s
FROM fleet_device AS device CROSS JOIN unnest(%(kinds)s::text[]) AS kind
WHERE device.name = %(name)s
