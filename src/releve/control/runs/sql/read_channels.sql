SELECT (extract(epoch FROM start) * 1000000)::bigint, channel, n, low, high, mean, squares, first_value, last_value
FROM (/*channels*/) AS read
