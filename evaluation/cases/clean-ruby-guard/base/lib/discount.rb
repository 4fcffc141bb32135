def discount(order)
  if order.total > 100
    order.total * 0.1
  else
    0
  end
end
