def user_of(token, key)
  # ruleid: ruby-jwt-unverified
  claims = JWT.decode(token, nil, false).first
  # ruleid: ruby-jwt-unverified
  unsigned = JWT.encode(claims, nil, "none")
  # ok: ruby-jwt-unverified
  claims = JWT.decode(token, key, true, algorithm: "RS256").first
  # ok: ruby-jwt-unverified
  data = JSON.parse(token)
end
