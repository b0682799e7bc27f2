-- What some teams say of channels of some devices, that of the device's own team last; what is null is as the contract proposes.
SELECT said.device_id, said.channel, said.name_en, said.name_fr, said.unit, said.scale, said."offset", said.kind, said.decimals, said.is_hidden
FROM fleet_channeldescription AS said JOIN fleet_device AS device ON device.id = said.device_id
WHERE said.device_id = ANY(%(devices)s::int[]) AND said.team_id = ANY(%(teams)s::bigint[])
ORDER BY said.team_id = device.team_id, said.team_id
