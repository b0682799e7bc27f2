-- How many numbers the ladders of a device's segments are made of.
SELECT segment_id, channel, (SELECT sum(number) FROM unnest(n) AS rung (number))::bigint FROM ladder WHERE device_id = %(device)s
