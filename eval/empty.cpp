namespace smoothlab {}
