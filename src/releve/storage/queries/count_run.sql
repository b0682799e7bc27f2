SELECT count(*) AS n FROM (/*readings*/) AS counted
