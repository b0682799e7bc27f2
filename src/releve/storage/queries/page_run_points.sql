SELECT time_us, id, along::double precision, value::double precision FROM (/*points*/) AS point ORDER BY time_us, id LIMIT %(limit)s
