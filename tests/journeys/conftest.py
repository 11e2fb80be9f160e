"""Six people and a server: fixtures are in the modules beside this one."""
