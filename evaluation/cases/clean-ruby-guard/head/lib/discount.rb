def discount(order)
  return 0 unless order.total > 100

  order.total * 0.1
end
